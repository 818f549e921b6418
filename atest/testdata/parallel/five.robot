*** Settings ***
Library             Services.py


*** Test Cases ***
Passes In Five
    No Operation

Service Is Asked In Five
    Services.Ask    Five

Differs In Five
    Log    ${ONLY IN Five}
