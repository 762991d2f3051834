FROM registry.example/shop/base:1
COPY --from=registry.example/shop/web:${version} /bin/sh /bin/sh
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
EXPOSE 8080
CMD /workload serve
