import pickle
m = pickle.load(open('m.pkl', 'rb'))
