*** Settings ***
Library             Services.py


*** Test Cases ***
Passes In Four
    No Operation

Service Is Asked In Four
    Services.Ask    Four

Differs In Four
    Log    ${ONLY IN Four}
