*** Test Cases ***
Passes At The End
    No Operation
