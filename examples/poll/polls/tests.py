from django.test import TestCase
from django.urls import reverse

from .models import Choice, Question


class VoteTests(TestCase):
    def setUp(self):
        question = Question.objects.create(text='Tea or coffee?')
        self.choice = Choice.objects.create(question=question, text='Tea')

    def test_a_vote_counts(self):
        self.client.post(reverse('vote', args=[self.choice.id]))
        self.choice.refresh_from_db()
        self.assertEqual(self.choice.votes, 1)

    def test_looking_is_no_vote(self):
        answer = self.client.get(reverse('vote', args=[self.choice.id]))
        self.assertEqual(answer.status_code, 405)

    def test_an_unknown_choice_is_not_found(self):
        answer = self.client.post(reverse('vote', args=[999]))
        self.assertEqual(answer.status_code, 404)
