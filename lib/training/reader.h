#pragma once

#include "config/reader.h"
