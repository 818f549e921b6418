*** Settings ***
Documentation       What Robot itself writes of it is no XML any more.
Library             Odd.py


*** Test Cases ***
Says Half A Pair
    Say Half A Pair
