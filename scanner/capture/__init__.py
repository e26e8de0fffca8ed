"""Capture: the passive side. Packets of a file or an interface become observations; nothing is ever sent.

``files`` reads captures and ``live`` hears an interface; ``frames``, ``packets`` and ``tunnels`` take off
what is wrapped around a conversation; ``ear`` hands datagrams and streams to those who understand them, one
protocol a file under ``sources``. Everything but ``files`` and ``live`` is pure.
"""
