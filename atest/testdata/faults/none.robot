*** Test Cases ***
Is Left Out
    Fail    Never run.
