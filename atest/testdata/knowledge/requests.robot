*** Settings ***
Documentation       Every test fails on purpose; its tag names the document of the knowledge base that explains it.
Library             standins/RequestsLibrary.py


*** Test Cases ***
Second Page Of Orders
    [Tags]    knowledge:http-500-server-error
    GET    https://api.example/orders    page=2

Place An Order
    [Tags]    knowledge:http-500-server-error
    Create Session    orders    https://api.example
    POST On Session    orders    /orders    expected_status=201

Own Profile
    [Tags]    knowledge:http-401-unauthorized
    GET    https://api.example/me

Stock Of The Partner
    [Tags]    knowledge:http-401-unauthorized
    Create Session    partner    https://partner.example
    GET On Session    partner    /stock

Night Run With The Token Of The Morning
    [Tags]    knowledge:auth-token-expired
    Decode Token    session

Delete Another User
    [Tags]    knowledge:http-403-forbidden
    DELETE    https://api.example/users/7

Items Of The Next Version
    [Tags]    knowledge:http-404-not-found
    GET    https://api.example/v3/items

Register Without A Mail Address
    [Tags]    knowledge:http-400-invalid-request
    POST    https://api.example/users    json={"name": "Ann"}

Change A User
    [Tags]    knowledge:http-400-invalid-request
    PUT    https://api.example/users/3    data=name=Ann

Search In A Loop
    [Tags]    knowledge:http-429-too-many-requests
    GET    https://api.example/search

Health Behind The Gateway
    [Tags]    knowledge:http-503-unavailable
    GET    https://gateway.example/health

Long Export
    [Tags]    knowledge:http-503-unavailable
    GET    https://gateway.example/export

Session Of Another Suite
    [Tags]    knowledge:connection-alias-missing
    GET On Session    warehouse    /stock

Service Is Not Started
    [Tags]    knowledge:connection-refused
    GET    http://127.0.0.1:18080/ready

Private Address From Outside
    [Tags]    knowledge:connect-timeout
    GET    https://10.20.30.40/

Slow Report
    [Tags]    knowledge:read-timeout
    POST    https://api.example/reports    timeout=25

Upload To A Crashing Server
    [Tags]    knowledge:connection-reset
    POST    https://api.example/uploads

Stream Is Cut
    [Tags]    knowledge:connection-reset
    GET    https://api.example/stream

Login Page Instead Of Data
    [Tags]    knowledge:json-decode-error
    Read Json    login page

Single Quotes
    [Tags]    knowledge:json-decode-error
    Read Json    python notation

Address Without A Scheme
    [Tags]    knowledge:invalid-url
    GET    api.example/orders

Base Address Is Not Set
    [Tags]    knowledge:invalid-url
    GET    None/orders

Company Certificate
    [Tags]    knowledge:tls-untrusted-certificate
    GET    https://git.corp.example/

Forgotten Certificate
    [Tags]    knowledge:tls-certificate-expired
    GET    https://old.example/

Address Instead Of Name
    [Tags]    knowledge:tls-hostname-mismatch
    GET    https://192.0.2.15/

TLS To A Plain Port
    [Tags]    knowledge:tls-not-spoken-on-port
    GET    https://localhost:8081/

Old Printer
    [Tags]    knowledge:tls-handshake-failure
    GET    https://printer.example/

Proxy Wants A Login
    [Tags]    knowledge:proxy-error
    GET    https://outside.example/

Cluster Name Outside The Cluster
    [Tags]    knowledge:dns-name-unknown
    GET    https://orders.svc.cluster.local/

Resolver Is Down
    [Tags]    knowledge:dns-temporary-failure
    GET    https://mirror.example/

Host Is Switched Off
    [Tags]    knowledge:network-unreachable
    GET    https://172.31.9.9/
