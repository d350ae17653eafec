"""Real chats on a running mesh, against hand-made annotations."""
