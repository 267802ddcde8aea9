#include "config/article.h"

#include <gtest/gtest.h>

namespace basin {
namespace {

TEST(Article, IsTheSpokenOne) {
  for (const char* word : {"autoencoder", "rbm", "identity", "up_down", "svm", "rnn_rbm", "mlp", "lstm"})
    EXPECT_EQ(with_article(word), std::string("an ") + word);
  for (const char* word : {"psd", "sparse_coding", "pca", "kmeans", "dbm", "network", "lista", "label_rbm",
                           "lcod", "softmax", "reconstruction", "regression", "drlim", ""})
    EXPECT_EQ(with_article(word), std::string("a ") + word);
}

}  // namespace
}  // namespace basin
