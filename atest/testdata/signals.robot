*** Settings ***
Library             faults/Odd.py


*** Test Cases ***
Fails Before
    Should Be Equal    one    two

Is Stopped
    Tell And Wait    ${OUTPUT DIR}${/}started.txt    ${OUTPUT DIR}${/}never.txt

Comes After
    No Operation
