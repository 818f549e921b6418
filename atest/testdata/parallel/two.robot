*** Settings ***
Library             Services.py


*** Test Cases ***
Passes In Two
    No Operation

Service Is Asked In Two
    Services.Ask    Two

Differs In Two
    Log    ${ONLY IN Two}
