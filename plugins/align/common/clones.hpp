#pragma once
/// SPIM_CLONES before a function compiles it twice and picks the wider instructions at run time. Neither
/// version fuses multiplications and additions, so both give the same bits.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPIM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SPIM_SANITIZED 1
#endif
#endif

// The choice is made by the dynamic linker, before a sanitizer's own start-up, which its instrumentation does
// not survive.
#if defined(SPIM_SANITIZED)
#define SPIM_CLONES
#else
#define SPIM_CLONES __attribute__((target_clones("avx2", "default")))
#endif
