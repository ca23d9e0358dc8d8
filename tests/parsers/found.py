FOUND: list[tuple[str,str|bytes,list[str],list[str]]] = []
