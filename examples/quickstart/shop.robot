*** Settings ***
Documentation       The tests of a small web shop. Most of them fail, each for another kind of cause, so that you can see how a
...                 failure explains itself. Nothing is needed but Robot Framework.
Library             OperatingSystem
Library             Process
Library             ShopClient.py    AS    shop
Suite Setup         shop.Start Shop
Suite Teardown      shop.Stop Shop


*** Variables ***
${PRICE}            19.90
${MAIL SERVICE}     127.0.0.1:9


*** Test Cases ***
Prices Are Formatted With Two Digits
    ${text} =    shop.Format Price    ${PRICE}
    Should Be Equal    ${text}    19.90 EUR

Customer Pays
    [Documentation]    A defect in the product: the shop answers with an internal error.
    shop.Open Page    /basket
    shop.Open Page    /pay

Order Is Confirmed By Mail
    [Documentation]    A service that is not running: an infrastructure failure.
    shop.Open Page    /mails/order-4711    ${MAIL SERVICE}

Refund Is Confirmed By Mail
    [Documentation]    The same cause in another test: both are one group and cost one analysis.
    shop.Open Page    /mails/refund-4712    ${MAIL SERVICE}

Total Includes Tax
    [Documentation]    The library of the tests stumbles over its own data; the card shows the line.
    ${total} =    shop.Total Of Basket    pen    notebook
    Should Be Equal As Numbers    ${total}    23.68

Discount Is Applied
    [Documentation]    Two numbers differ, and nothing in the log says why: no cause is claimed.
    ${total} =    shop.Discounted    100    10
    Should Be Equal As Numbers    ${total}    90

Order Is Cancelled
    [Documentation]    The test is wrong: the keyword's name has a typing error.
    shop.Open Page    /orders/4711
    Cancel Ordr    4711

Invoice Is Printed
    [Documentation]    A variable that nobody set.
    Log    Printing on ${INVOICE PRINTER}

Receipt Is Archived
    [Documentation]    A file that is not where the test expects it.
    ${receipt} =    Get File    ${CURDIR}/receipts/4711.txt
    Should Contain    ${receipt}    Total

Stock Is Imported
    [Documentation]    A program that is not installed.
    ${result} =    Run Process    stock-importer    --file    stock.csv
    Should Be Equal As Integers    ${result.rc}    0
