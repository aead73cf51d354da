def apply(self, user):
    if self.update_password == 'always':
        user.change()
    if password_mechanism == 'sshpass':
        user.ask()
