"""The bundled corpus ``open-26666``: synthetic speech made utterance by utterance from seeds.

A source-filter synthesiser (Fant 1960, *Acoustic Theory of Speech Production*; Klatt 1980,
"Software for a cascade/parallel formant synthesizer") speaks random syllables with 500 voices,
each heard in two to four sessions with their own channel, room and noise. Nothing is stored: an
utterance is computed from its name alone, in any order, on any machine.

Where to look:

* ``catalogue``: who says what, in which session and split, for how long, and the trials;
* ``voice``, ``prosody``: sounds and voices, and the content and melody of an utterance;
* ``frame_filter``, ``vocal_tract``: source, filter and the frame-wise filtering;
* ``recording``: room, noise and channel between mouth and file;
* ``speech``: the whole chain, and the public interface;
* ``arithmetic``: functions and random numbers whose bytes are the same everywhere.

Same bytes everywhere. All arithmetic is float64 and the result is rounded once, to int16. Only
operations which IEEE 754 rounds correctly (sum, product, quotient, root), integer draws and
polynomial functions (see ``arithmetic``) are used; nothing goes through BLAS, vector maths
libraries or fused complex products, whose last bit depends on the processor. What remains is the
last bit of the twiddle factors of the Fourier transform, which come from the C library; it moves
a sample by about 1e-10 of a quantisation step, so that fewer than one sample in a billion could
round otherwise.
"""
