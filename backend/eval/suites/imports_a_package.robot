*** Settings ***
Documentation       A package that a library needs is not installed.
Library             libraries/NeedsPandas.py


*** Test Cases ***
Package That Is Not Installed
    [Documentation]    A package that the library needs is not installed.    Evidence: No module named 'pandas_of_old'
    [Tags]    type:DEPENDENCY_ERROR
    Read Table    orders.csv
