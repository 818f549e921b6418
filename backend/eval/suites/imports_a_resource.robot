*** Settings ***
Documentation       A resource file is not where it is looked for.
Resource            not_moved_here.resource


*** Test Cases ***
Resource That Is Not There
    [Documentation]    The resource file's path is wrong.    Evidence: Resource file 'not_moved_here.resource' does not exist
    [Tags]    type:CONFIG_ERROR    or:TEST_ERROR
    Open The Shop As Customer
