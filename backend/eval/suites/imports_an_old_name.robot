*** Settings ***
Documentation       A library was written for an older Python.
Library             libraries/OldApi.py


*** Test Cases ***
Library For An Older Python
    [Documentation]    The library uses a name that newer Pythons do not have.    Evidence: cannot import name 'Mapping' from 'collections'
    [Tags]    type:DEPENDENCY_ERROR    or:CODE_ERROR
    Merge    one    two
