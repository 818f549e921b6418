*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             standins/SSHLibrary.py
Library             standins/DatabaseLibrary.py


*** Test Cases ***
Wrong Password
    [Tags]    knowledge:ssh-authentication-failed
    Open Connection    192.0.2.44
    Login    deploy    ****

Key Is Not Known There
    [Tags]    knowledge:ssh-authentication-failed
    Login With Public Key    backup    keys/backup

Key In The Old Format
    [Tags]    knowledge:ssh-key-unreadable
    Login With Public Key    build    keys/build

Key Without Its Last Line
    [Tags]    knowledge:ssh-key-unreadable
    Login With Public Key    cloud    keys/cloud

Machine Still Starts
    [Tags]    knowledge:ssh-banner-error
    Login    fresh-vm    ****

Prompt Of Root
    [Tags]    knowledge:ssh-prompt-not-found
    Write    sudo -i
    Read Until Prompt

Switch From Another Century
    [Tags]    knowledge:ssh-no-common-algorithm
    Login    switch-admin    ****

Archive Was Not Built
    [Tags]    knowledge:ssh-file-transfer-failed
    Put File    dist/app.tar.gz    /opt/app

Site Was Not Built
    [Tags]    knowledge:ssh-file-transfer-failed
    Put Directory    build/site    /var/www

Command Without A Login
    [Tags]    knowledge:connection-alias-missing
    Execute Command    uptime

Nothing Listens For SSH
    [Tags]    knowledge:connection-refused
    Login    operator    ****

PostgreSQL Is Down
    [Tags]    knowledge:db-connection-failed
    Connect To Database    postgres-down

MySQL Is Down
    [Tags]    knowledge:db-connection-failed
    Connect To Database    mysql-down

PostgreSQL Password
    [Tags]    knowledge:db-authentication-failed
    Connect To Database    postgres-password

MySQL Password
    [Tags]    knowledge:db-authentication-failed
    Connect To Database    mysql-password

Oracle Password
    [Tags]    knowledge:db-authentication-failed
    Connect To Database    oracle-password

Table Before The Migration
    [Tags]    knowledge:db-table-missing
    Query    SELECT * FROM invoice

Column Before The Migration
    [Tags]    knowledge:db-table-missing
    Query    SELECT nick FROM person

Person Exists Already
    [Tags]    knowledge:db-constraint-violated
    Execute Sql String    INSERT INTO person

Order Without A Customer
    [Tags]    knowledge:db-constraint-violated
    Execute Sql String    INSERT INTO orders

Stock Is Locked
    [Tags]    knowledge:db-locked
    Execute Sql String    UPDATE stock

Two Writers On One File
    [Tags]    knowledge:db-locked
    Execute Sql String    UPDATE cache

All Connections In Use
    [Tags]    knowledge:db-too-many-connections
    Connect To Database    postgres-full

An Order Is Missing
    [Tags]    knowledge:db-row-count-mismatch
    Check Row Count    SELECT id FROM orders    ==    4

Sessions Are Left
    [Tags]    knowledge:db-row-count-mismatch
    Row Count Is 0    SELECT id FROM sessions

Query Without A Connection
    [Tags]    knowledge:connection-alias-missing
    Query    SELECT 1
