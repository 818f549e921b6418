*** Settings ***
Library             Services.py


*** Test Cases ***
Passes In One
    No Operation

Service Is Asked In One
    Services.Ask    One

Differs In One
    Log    ${ONLY IN One}
