"""The yardstick: a listener with the same events that does nothing."""


class EmptyListener:
    ROBOT_LISTENER_API_VERSION = 3

    def start_suite(self, data, result):
        pass

    def start_test(self, data, result):
        pass

    def end_library_keyword(self, data, implementation, result):
        pass

    def end_user_keyword(self, data, implementation, result):
        pass

    def end_invalid_keyword(self, data, implementation, result):
        pass

    def end_test(self, data, result):
        pass

    def end_suite(self, data, result):
        pass

    def message(self, message):
        pass

    def output_file(self, path):
        pass

    def close(self):
        pass
