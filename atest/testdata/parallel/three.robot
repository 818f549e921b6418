*** Settings ***
Library             Services.py


*** Test Cases ***
Passes In Three
    No Operation

Service Is Asked In Three
    Services.Ask    Three

Differs In Three
    Log    ${ONLY IN Three}
