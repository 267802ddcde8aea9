#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tensor/error.h"

namespace basin::test {

/// How the server treats one path.
struct Page {
  std::string body;
  int status = 200;
  bool knows_ranges = true;
  std::size_t cut_after = std::string::npos;    // closes the connection after that many bytes of an answer
  std::size_t stall_after = std::string::npos;  // sends no more, and keeps the connection open
  int faults = 1'000'000;                       // the cut and the stall happen to the first so many requests
  std::string redirect = {};                    // the Location of a 302
};

/// An HTTP/1.1 server on 127.0.0.1 for one request at a time, on a port of the system's choice.
class HttpServer {
 public:
  explicit HttpServer(std::map<std::string, Page> pages)
      : pages_(std::move(pages)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, length) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &length) != 0) {
      throw Error("[test] no port on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    stop();
    ::close(socket_);
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  /// From now on nothing listens at the port.
  void stop() {
    ::shutdown(socket_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  /// "PATH" or "PATH FIRST-" for each request so far.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      answer(connection);
      ::close(connection);
    }
  }

  void answer(int connection) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      request.append(buffer, static_cast<std::size_t>(got));
    }
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    const std::string name = "Range: bytes=";
    const std::size_t at = request.find(name);
    const bool ranged = at != std::string::npos;
    const std::size_t first = ranged ? std::stoul(request.substr(at + name.size())) : 0;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(ranged ? path + " " + std::to_string(first) + "-" : path);
    }
    const auto found = pages_.find(path);
    if (found == pages_.end())
      return send(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone");
    Page& page = found->second;
    if (!page.redirect.empty()) {
      return send(connection, "HTTP/1.1 302 Found\r\nLocation: " + page.redirect +
                                  "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    const std::size_t size = page.body.size();
    if (ranged && page.knows_ranges && first >= size) {
      return send(connection,
                  "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    const bool part = ranged && page.knows_ranges;
    const std::string body = part ? page.body.substr(first) : page.body;
    std::string head =
        "HTTP/1.1 " + std::to_string(part ? 206 : page.status) + " Here\r\nConnection: close\r\n";
    if (part)
      head += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(size - 1) + "/" +
              std::to_string(size) + "\r\n";
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    const bool faulty = page.faults-- > 0;
    send(connection, head + (faulty ? body.substr(0, std::min(page.cut_after, page.stall_after)) : body));
    if (faulty && page.stall_after < body.size())
      ::recv(connection, buffer, sizeof buffer, 0);  // until the client hangs up
  }

  static void send(int connection, const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t sent = ::send(connection, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return;
      done += static_cast<std::size_t>(sent);
    }
  }

  std::map<std::string, Page> pages_;
  int socket_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
};

}  // namespace basin::test
