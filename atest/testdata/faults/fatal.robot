*** Test Cases ***
Fails Before
    Fail    The first one.

Is Fatal
    Fatal Error    Nothing can go on.

Comes After
    No Operation
