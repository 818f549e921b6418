*** Settings ***
Library             Odd.py


*** Test Cases ***
Fails Before
    Fail    The first one.

Leaves Through sys.exit
    Leave Through Sys Exit

Comes After
    Fail    The last one.
