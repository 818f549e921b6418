*** Settings ***
Library             NoSuchLibraryAnywhere


*** Test Cases ***
Library Is Missing
    Keyword From There
