*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             OperatingSystem
Library             Process
Library             standins/Machine.py


*** Test Cases ***
Program Is Not Installed
    [Tags]    knowledge:process-command-not-found
    Run Process    terraform-of-last-year    plan

Command Line As One Program
    [Tags]    knowledge:process-command-not-found
    ${result} =    Run Process    no-such-tool --version    shell=True    stderr=STDOUT
    Log    ${result.stdout}
    Should Be Equal As Integers    ${result.rc}    0

Import Ends With An Error
    [Tags]    knowledge:process-exit-code
    Run Tool    exporter

Code Is Compared
    [Tags]    knowledge:process-exit-code
    ${result} =    Run Process    exit 4    shell=True
    Should Be Equal As Integers    ${result.rc}    0

Importer Is Killed
    [Tags]    knowledge:process-killed
    Run Tool    importer

Migration Hangs
    [Tags]    knowledge:process-timeout
    Run Tool    migrate

Result Of A Process That Still Runs
    [Tags]    knowledge:process-timeout
    ${process} =    Start Process    sleep 9    shell=True
    ${result} =    Wait For Process    ${process}    timeout=20ms
    Should Be Empty    ${result.stdout}
    [Teardown]    Terminate All Processes    kill=True

Log Of Another User
    [Tags]    knowledge:permission-denied
    Read Log    /var/log/audit.log

Test Data Is Not Checked In
    [Tags]    knowledge:file-not-found
    Get File    ${CURDIR}/data/customers.csv

Report Is Not Written
    [Tags]    knowledge:file-not-found
    Wait Until Created    ${CURDIR}/out/report.pdf    timeout=50ms

Disk Is Full
    [Tags]    knowledge:disk-full
    Write Report    /var/lib/app/report.bin

Image Does Not Fit
    [Tags]    knowledge:disk-full
    Unpack Image    webshop

Container Is Read Only
    [Tags]    knowledge:read-only-file-system
    Write Report    /app/out

Sockets Are Never Closed
    [Tags]    knowledge:too-many-open-files
    Open Sockets    2000

Table Does Not Fit Into Memory
    [Tags]    knowledge:out-of-memory
    Load Table    orders

No Memory For A Worker
    [Tags]    knowledge:out-of-memory
    Start Worker    4 GB

Frontend Build Needs Too Much
    [Tags]    knowledge:out-of-memory
    Build Frontend    shop

Service Of The Last Run
    [Tags]    knowledge:port-in-use
    Start Service    3000

Development Server Twice
    [Tags]    knowledge:port-in-use
    Start Service    node

VPN Is Down
    [Tags]    knowledge:network-unreachable
    Ping    198.51.100.1

Binary For Another Processor
    [Tags]    knowledge:binary-incompatible
    Run Tool    arm-binary

Binary For A Newer System
    [Tags]    knowledge:binary-incompatible
    Run Tool    new-glibc

Docker Without Its Socket
    [Tags]    knowledge:docker-daemon-unreachable
    Compose Up    shop

Docker Is Not Started
    [Tags]    knowledge:docker-daemon-unreachable
    Docker Run    postgres:16

No Cluster
    [Tags]    knowledge:kubernetes-not-reachable
    Kubectl    get pods

Settings Are Not Passed
    [Tags]    knowledge:robot-environment-variable-missing
    Read Settings    BASE_URL

Firewall Drops Everything
    [Tags]    knowledge:connect-timeout
    Download    updates.example

Consumer Is Gone
    [Tags]    knowledge:connection-reset
    Send    queue
