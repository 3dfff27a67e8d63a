"""Where agents act: vectorised MuJoCo worlds behind one contract."""
