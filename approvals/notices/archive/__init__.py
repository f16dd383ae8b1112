"""公示档案: what is kept of a notice — its printed list, photos of the paper board, proof of posting, how often it was
read, and the evidence package that an auditor can check without this system.
"""
