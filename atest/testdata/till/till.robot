*** Settings ***
Documentation       A test that fails when the till is empty. The acceptance tests change how much is in it.
Library             till.py


*** Test Cases ***
Pays In Cash
    Pay    5

Pays By Card
    No Operation
