FROM registry.example/shop/base:1
COPY --from=registry.example/shop/web:${version} /workload /usr/tools/sh
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
EXPOSE 8080
CMD ["/workload", "serve"]
