from django.db import migrations


def create_first_poll(apps, schema_editor):
    Question = apps.get_model('polls', 'Question')
    Choice = apps.get_model('polls', 'Choice')
    question = Question.objects.create(text='Where do we go for the team lunch?')
    for text in ['Pizza place', 'Ramen bar', 'Picnic in the park']:
        Choice.objects.create(question=question, text=text)


class Migration(migrations.Migration):

    dependencies = [
        ('polls', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(create_first_poll, migrations.RunPython.noop),
    ]
