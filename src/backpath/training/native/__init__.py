"""The native kernels: freestanding C++17, built for each platform, and the one way to call them from Python."""
