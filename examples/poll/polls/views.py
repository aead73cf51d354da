import json

from django.db.models import F
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .models import Choice, Question


def index(request):
    questions = Question.objects.prefetch_related('choices').order_by('-created_at')
    return render(request, 'polls/index.html', {'questions': questions})


@require_POST
def vote(request, choice_id):
    choice = get_object_or_404(Choice, pk=choice_id)
    choice.votes = F('votes') + 1
    choice.save()
    return redirect('index')


def api_questions(request):
    questions = Question.objects.prefetch_related('choices')
    return JsonResponse({
        'questions': [
            {
                'id': question.id,
                'text': question.text,
                'choices': [{'id': c.id, 'text': c.text, 'votes': c.votes} for c in question.choices.all()],
            }
            for question in questions
        ]
    })


@csrf_exempt
@require_POST
def api_vote(request):
    try:
        choice_id = json.loads(request.body)['choice']
    except (ValueError, KeyError, TypeError):
        return JsonResponse({'error': 'Send {"choice": <id>}'}, status=400)
    choice = get_object_or_404(Choice, pk=choice_id)
    choice.votes = F('votes') + 1
    choice.save()
    choice.refresh_from_db()
    return JsonResponse({'choice': choice.id, 'votes': choice.votes})
