import yaml
yaml.load(open('a.yml'), Loader=yaml.SafeLoader)
