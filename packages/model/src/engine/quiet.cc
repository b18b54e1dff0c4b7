// Loads TensorFlow's framework library without the two lines that it writes while it initialises itself ("WARNING: All log
// messages before absl::InitializeLog()", "oneDNN custom operations are on"): no setting reaches them, so standard error is
// closed for those milliseconds. After that TensorFlow logs errors, or what TF_CPP_MIN_LOG_LEVEL says.
// process.env of a worker thread is a copy that C++ never sees, hence setenv here.
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

NAPI_MODULE_INIT() {
  setenv("TF_CPP_MIN_LOG_LEVEL", "2", 0);
  Dl_info here;
  if (!dladdr(reinterpret_cast<void*>(&napi_register_module_v1), &here)) return exports;
  std::string folder(here.dli_fname);
  folder.resize(folder.rfind('/'));
  const int error = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (error >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  dlopen((folder + "/../../deps/lib/libtensorflow_framework.so.2").c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (error >= 0) dup2(error, STDERR_FILENO);
  if (error >= 0) close(error);
  if (nowhere >= 0) close(nowhere);
  return exports;
}
