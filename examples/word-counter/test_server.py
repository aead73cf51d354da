import unittest

from server import analyse


class TestAnalyse(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(analyse("")["words"], 0)
        self.assertEqual(analyse("")["sentences"], 0)

    def test_words_are_counted_whatever_their_case(self):
        result = analyse("Tea, tea and TEA!")
        self.assertEqual(result["words"], 4)
        self.assertEqual(result["top"][0], ("tea", 3))

    def test_a_text_without_a_full_stop_is_one_sentence(self):
        self.assertEqual(analyse("hello there")["sentences"], 1)


if __name__ == "__main__":
    unittest.main()
