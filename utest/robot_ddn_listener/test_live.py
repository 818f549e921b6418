from robot_ddn_listener.live import MAX_CALLS, MAX_RAISED, LiveFailures


def note(live, error):
    try:
        raise error
    except type(error):
        live.note(None, None, str(error), raised=True)


def test_of_many_exceptions_the_last_are_kept():
    live = LiveFailures()
    for number in range(MAX_CALLS + 5):
        note(live, ValueError(str(number)))
    calls = live.take()
    assert len(calls) == MAX_CALLS
    kept = [call.raised.message for call in calls if call.raised]
    assert kept == [str(number) for number in range(MAX_CALLS + 5 - MAX_RAISED, MAX_CALLS + 5)]
    assert live.take() == ()


def test_the_exception_itself_and_what_it_holds_are_not_kept():
    import gc
    import weakref

    class Big:
        pass

    def fail():
        big = Big()
        gone.append(weakref.ref(big))
        raise ValueError("x")

    gone = []
    live = LiveFailures()
    try:
        fail()
    except ValueError:
        live.note(None, None, None, raised=True)
    gc.collect()
    assert gone[0]() is None
    assert live.take()[0].raised.frames[-1][2].endswith("fail")
