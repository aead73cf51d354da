import subprocess
subprocess.run('ls -l', shell=True)
subprocess.run(['ls', folder])
