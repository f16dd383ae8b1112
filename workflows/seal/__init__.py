"""The sealed record (DESIGN §8): every line of the record is a leaf of a Merkle tree whose signed heads are public.

    sealing.seal()          in the background: takes in what was written since, and signs a new head
    sealing.proof_of(line)  what somebody needs to check one line against a head, offline
    verifying.verify()      the whole history against the rows as they are now

Decisions know nothing of it: they append to the record, and no statement or lock of theirs is the sealer's.
"""
