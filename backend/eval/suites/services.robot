*** Settings ***
Documentation       Services, databases and machines, with stand-ins that fail as the real libraries do.
Library             libraries/RequestsLibrary.py
Library             libraries/DatabaseLibrary.py
Library             libraries/SSHLibrary.py


*** Test Cases ***
Service That Is Not Running
    [Documentation]    Nothing listens on the port.    Evidence: [Errno 111] Connection refused
    [Tags]    type:INFRA_ERROR
    GET    http://localhost:8088/api

Host Without An Address
    [Documentation]    The host's name cannot be resolved.    Evidence: [Errno -2] Name or service not known
    [Tags]    type:INFRA_ERROR    or:CONFIG_ERROR
    GET    http://stock.internal/api

Host That Does Not Answer
    [Documentation]    The host does not answer in time.    Evidence: ConnectTimeoutError
    [Tags]    type:INFRA_ERROR
    GET    http://10.20.0.7/api

Certificate Of The Company
    [Documentation]    The company's certificate authority is not known to this machine.    Evidence: CERTIFICATE_VERIFY_FAILED
    [Tags]    type:CONFIG_ERROR
    GET    https://intra.example/api

Address Without Scheme
    [Documentation]    The address lacks its scheme.    Evidence: Invalid URL 'shop.example/api': No scheme supplied
    [Tags]    type:CONFIG_ERROR    or:TEST_ERROR
    GET    shop.example/api

Orders Of A Customer
    [Documentation]    The token has expired.    Evidence: {"error": "token expired"}
    [Tags]    type:CONFIG_ERROR
    GET    https://shop.example/api/me

Service That Fails Inside
    [Documentation]    The service adds None to a number.    Evidence: TypeError: unsupported operand type(s) for +
    [Tags]    type:CODE_ERROR
    GET    https://shop.example/api/total

Service That Is Busy
    [Documentation]    The service is not available.    Evidence: 503 Server Error: Service Unavailable
    [Tags]    type:INFRA_ERROR
    GET    https://shop.example/api/busy

Too Many Requests
    [Documentation]    The service limits the number of requests.    Evidence: 429 Client Error: Too Many Requests
    [Tags]    type:INFRA_ERROR
    GET    https://shop.example/api/limited

Path That Is Misspelled
    [Documentation]    The path is misspelled in the test.    Evidence: 404 Client Error: Not Found
    [Tags]    type:TEST_ERROR
    GET    https://shop.example/api/ordres

Field Of The Wrong Type
    [Documentation]    The test sends a word where a number is wanted.    Evidence: field quantity must be a number, got three
    [Tags]    type:TEST_ERROR
    POST    https://shop.example/api/orders

Database That Is Not Running
    [Documentation]    The database does not run.    Evidence: port 5432 failed: Connection refused
    [Tags]    type:INFRA_ERROR
    Connect To Database    orders

Database With Another Password
    [Documentation]    The password is wrong.    Evidence: password authentication failed for user "tester"
    [Tags]    type:CONFIG_ERROR
    Connect To Database    billing

Database Of Another Name
    [Documentation]    The configured name of the database is misspelled.    Evidence: Unknown database 'stock_tets'
    [Tags]    type:CONFIG_ERROR
    Connect To Database    stock

Query With A Reserved Word
    [Documentation]    The query is not valid SQL.    Evidence: syntax error at or near "order"
    [Tags]    type:TEST_ERROR
    Query    SELECT id FROM order

Row Left From An Earlier Run
    [Documentation]    The row is there from an earlier run.    Evidence: duplicate key value violates unique constraint
    [Tags]    type:TEST_ERROR
    Execute Sql String    INSERT INTO customers VALUES (1)

Machine That Cannot Be Reached
    [Documentation]    The machine does not answer on its SSH port.    Evidence: Unable to connect to port 22 on 10.20.0.17
    [Tags]    type:INFRA_ERROR
    Open Connection    build-7

Login That Is Refused
    [Documentation]    The credentials of the user are refused.    Evidence: Authentication failed for user 'deploy'
    [Tags]    type:CONFIG_ERROR
    Login    deploy

Copy To A Full Disk
    [Documentation]    The target's disk is full.    Evidence: No space left on device
    [Tags]    type:INFRA_ERROR
    Put File    build.tar.gz
