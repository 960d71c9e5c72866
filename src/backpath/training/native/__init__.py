"""The native kernels, in freestanding C++17 built for each platform, and their interface to Python."""
