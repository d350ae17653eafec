"""ETSI TS 103 120 (HI1) messages: a request in XML, signed by the agency, with the court's PDF in it.

Pure: bytes in, values out. Invariants:

- hostile XML is refused before it is understood: DTD, entities, processing instructions, sizes, depths;
- a claim is read only from the bytes that came out of the signature's check, which cover the whole message;
- one signature, one shape of it, public keys only; anything else about it is refused by name;
- the request is never wider than the court's document in it; what differs is reported field by field;
- the same request is always the same payload, whatever its spelling, so that it is one document.
"""
