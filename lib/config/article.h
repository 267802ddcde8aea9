#pragma once

#include <string>

namespace basin {

/// A name with its indefinite article as it is spoken: "an autoencoder", "a psd", "an rbm", "an svm_head".
/// Letters without a vowel are spelled out, so that F, H, L, M, N, R, S and X begin with one.
std::string with_article(const std::string& name);

}  // namespace basin
