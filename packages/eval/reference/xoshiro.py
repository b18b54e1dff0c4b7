"""The project's random numbers, written again: xoshiro128** seeded by the SHA-256 of the seed's text."""

import hashlib
import math

M = 0xFFFFFFFF


class Random:
    def __init__(self, seed):
        digest = hashlib.sha256(str(seed).encode()).digest()
        self.s = [int.from_bytes(digest[i : i + 4], "little") for i in (0, 4, 8, 12)]

    def word(self):
        s = self.s
        rotl = lambda v, k: ((v << k) | (v >> (32 - k))) & M
        result = rotl((s[1] * 5) & M, 7) * 9 & M
        t = (s[1] << 9) & M
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
        return result

    def int(self, n):
        high = self.word() >> 5
        return math.floor((high * 0x4000000 + (self.word() >> 6)) / 2**53 * n)

    def shuffle(self, items):
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.int(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
