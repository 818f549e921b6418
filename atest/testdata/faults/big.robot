*** Settings ***
Library             Odd.py


*** Test Cases ***
Says Very Much
    Log And Fail With Megabytes    50
