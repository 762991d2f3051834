FROM registry.example/shop/toolchain:1
COPY src /src
RUN ["/bin/sh", "/tools/install"]
RUN ["/bin/sh", "/tools/assemble"]
ENV CONFIG=/app/page.conf
