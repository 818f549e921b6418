*** Settings ***
Documentation       Names, tags, metadata, arguments and messages that try to become more than text.
Metadata            Link    <script>document.title=`OWNED`</script>
Metadata            "><b>    plain
Library             Hostile.py
Test Tags           <img src=x onerror=document.title=`OWNED`>    [javascript:document.title=`OWNED`|tag]


*** Test Cases ***
<script>document.title=`OWNED`</script>
    Fail With    MARKUP

Attributes ' onmouseover='document.title=`OWNED`' x='
    Fail With    ATTRIBUTES

Links [javascript:document.title=`OWNED`|here] http://127.0.0.1:9/track.png *bold*
    Fail With    LINKS

Sections ]]> </msg></test> &amp;
    Fail With    SECTIONS

Invisible Characters
    Fail With    INVISIBLE

Cause With Markup
    Raise With    file    MARKUP

Cause With Links
    Raise With    module    LINKS

Cause With Sections
    Raise With    attribute    SECTIONS

Cause With Invisible Characters
    Raise With    file    INVISIBLE

Cause With Attributes
    Raise With    key    ATTRIBUTES

Address With Links
    Raise With    refused    LINKS

Missing Keyword
    <img src=x onerror=document.title=`OWNED`> [javascript:document.title=`OWNED`|keyword]

Missing Variable
    Log    ${<script>document.title=`OWNED`</script>http://127.0.0.1:9/track.png}

Hostile Arguments
    Should Be Equal    <svg onload=document.title=`OWNED`>    http://127.0.0.1:9/track.png    [javascript:document.title=`OWNED`|x]

Hostile Log
    Log All
    Should Be Equal As Integers    1    2

Surrogate In The Exception's Cause
    Hide A Surrogate

Html Message
    Fail    *HTML* <b id="foreign">bold</b> <a href="http://127.0.0.1:9/">link</a>

Forged Card
    Forge A Card
    Fail    A real failure
