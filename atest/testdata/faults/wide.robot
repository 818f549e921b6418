*** Test Cases ***
Says What Takes More Room In A Report
    [Documentation]    A report is ASCII, an output file UTF-8.
    Fail    ${{ 'ü' * 1000 }}
