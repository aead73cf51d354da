import subprocess
subprocess.run(f'ls {folder}', shell=True)
