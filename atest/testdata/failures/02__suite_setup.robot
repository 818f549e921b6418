*** Settings ***
Library             Product.py
Suite Setup         Product.Connect    ${9}


*** Test Cases ***
First Without Its Suite's Setup
    Log    Never run

Second Without Its Suite's Setup
    Log    Never run
