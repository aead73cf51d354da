import random
colour = random.choice(['red', 'blue'])
