*** Settings ***
Documentation       Failures that a model answers, each in its own way; see atest/libraries/Stack.py.


*** Test Cases ***
Passes
    No Operation

Answers <img src=x onerror=document.title=`OWNED`>
    Fail    The gizmo <script>document.title=`OWNED`</script> was not amused.

Degrades ' onmouseover='document.title=`OWNED`' x='
    Fail    The model asks for more than it may have.

Fails With The Model
    Fail    The model falls over.

Takes Its Time
    [Tags]    slow
    Fail    The model thinks for long.
